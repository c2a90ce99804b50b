"""The pages for people, rendered from the same shapes that the API answers with: a module for each."""
