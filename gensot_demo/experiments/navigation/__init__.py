"""Navigation: a protocol drawn in the plane, what it costs in closed form, and its cloud on demand."""
