"""The pages made from the tables: reference, manual, schema, completion. Their frames are written by hand."""
