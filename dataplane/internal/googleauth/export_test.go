package googleauth

// Kept is how many keys are remembered.
func (t *Tokens) Kept() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.kept)
}
