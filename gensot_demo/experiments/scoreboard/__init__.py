"""Every method, task and strength against the law asked for: the rows of the Scoreboard, shipped or drawn live."""
