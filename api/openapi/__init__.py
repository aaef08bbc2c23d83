"""The OpenAPI 3.1 document and its page for people, both made from the route table."""
