"""What the JSON API takes and gives, a file for each noun: its types, and how they are made from models."""
