// Package compat writes docs/compatibility.md: how much of AWS Fairway is held
// to by vectors of the real thing, and which of its features are here. Its test
// makes the report and compares it with the file; -update rewrites the file.
package compat
