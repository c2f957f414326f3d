"""Views read what the product published: topics, records and their schemas; never a worker."""
