"""Where the ledger is kept between records."""
