"""How a training goes on from what an earlier one left."""
