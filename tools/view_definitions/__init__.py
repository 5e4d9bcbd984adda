"""The one definition of each view, in SQL, and the columns that they take from tables."""
