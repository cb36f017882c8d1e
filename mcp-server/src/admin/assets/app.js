// The page is read as it is until this file has something to do.
