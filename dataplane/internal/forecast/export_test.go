package forecast

// Len is how many kinds are held.
func (o *Outputs) Len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.of)
}
