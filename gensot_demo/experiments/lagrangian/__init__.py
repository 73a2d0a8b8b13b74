"""The Lagrangian view: six ways to choose the velocity of the same moving particles."""
