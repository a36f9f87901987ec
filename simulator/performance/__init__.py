"""What a model costs on a chip over a fabric, in closed form."""
