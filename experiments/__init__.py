"""Experiments on the product: what they measure can be reproduced from the repository."""
