// What a feed's page can do besides showing.
