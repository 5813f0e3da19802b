// The rest of this target follows.
