"""How a bench judges what it measured. The bench itself is no test: it says much about the machine it runs on."""
