"""Tools by job, one file each and all of the same shape: Arguments, resolve, send and find where needed, TOOL."""
