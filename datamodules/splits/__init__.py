"""Who is trained on, who selects and who is tested: protocols, and the split that they return."""
