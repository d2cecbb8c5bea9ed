"""Speed and memory of archadvisor against bare code, as ratios measured in one run: `make bench`."""
