// Package archtest keeps the house in order: a table of which package may import
// which, checked by this package's test.
package archtest
