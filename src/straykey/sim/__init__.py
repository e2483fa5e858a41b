"""A seeded company, its CloudTrail and its thieves, with the truth beside them."""
