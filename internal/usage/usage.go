// Package usage makes reports of what calls used: it asks the ledger for sums, keeps
// the rows that cost most, and derives what they say of a call. It knows the ledger by
// one method, and shows reports to people and records to programs.
//
//	query.go       the question; moment.go its times
//	report.go      the answer: rows, the others, the total
//	sums.go        what a row says; series.go how it came about over the time
//	table.go       the answer for the eye, of column.go, draw.go, number.go and grid.go
//	budget.go      what budgets have left
//	record.go      records as lines of JSON, whose end is told
//	export.go      records as files: csv.go, and invocation.go as Bedrock logs them
package usage
