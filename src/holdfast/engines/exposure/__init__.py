"""What carries out an exposure search: git object stores, folders, archives, processes, caches."""
