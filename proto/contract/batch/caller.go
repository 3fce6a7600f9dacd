package batch

// Bounds of what a record keeps of its caller's own words.
const (
	MaxCallerIDBytes   = 128 // of end_user and of run_id
	MaxLabels          = 16
	MaxLabelNameBytes  = 64
	MaxLabelValueBytes = 256
)
