package balance

// Askers is how many keys and projects are told apart.
func (p *Pool) Askers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rests[PooledRequests].askers
}
