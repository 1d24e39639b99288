"""How English words are said: the dictionaries that ship, and a small network for words that are in none."""
