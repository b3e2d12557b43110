"""How bytes arrive. A kind is one module, found by its name; it knows Message and deliver(), and no table or format."""
