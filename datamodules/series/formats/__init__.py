"""Series file formats, one module for each program or corpus that writes them."""
