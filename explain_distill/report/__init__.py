"""What is shown of a study: the report as data, its forms, and its drawings."""
