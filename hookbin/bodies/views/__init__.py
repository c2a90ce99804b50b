"""Views of a body: what a person can see in captured or sent bytes, each made by one function under limits."""
