"""One module for each program or corpus that writes series."""
