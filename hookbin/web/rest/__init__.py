"""What every call of the JSON API has in common."""
