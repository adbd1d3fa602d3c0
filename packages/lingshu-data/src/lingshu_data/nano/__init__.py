"""The small collection `nano`: pictures inside installed wheels, and phantoms drawn from seeds."""
