"""Whether cutting out the face pays: MPDRM on whole frames against aligned crops."""
