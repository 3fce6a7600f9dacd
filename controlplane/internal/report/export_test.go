package report

// For tests of the server without the guard.
var (
	Settings = settings
	Collect  = collect
	QueryID  = queryID
	Clean    = clean
)
