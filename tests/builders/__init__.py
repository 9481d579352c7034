"""What several test files make: tables, run folders, requests, contenders, clusters, a GPU."""
