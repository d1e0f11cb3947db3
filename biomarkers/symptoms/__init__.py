"""What questionnaires say item by item: how persons of one total differ, how sure that is, how reliable."""
