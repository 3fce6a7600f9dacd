package balance

// Askers is how many keys and projects are told apart.
func (p *Pool) Askers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rests[PooledRequests].askers
}

// Under is what is on its way, and what the lines' parts say that waits, which is what does.
func (p *Pool) Under() (requests, tokens int64, waiting int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line != nil {
		for i := range p.line.classes {
			waiting += p.line.classes[i].counted()
		}
	}
	return p.under[PooledRequests], p.under[PooledTokens], waiting
}

// counted are the turns of a part; -1000: its own count is another.
func (q *queue) counted() (sum int) {
	sum = len(q.turns)
	for _, part := range q.parts {
		sum += part.counted()
	}
	if sum != q.count {
		return -1000
	}
	return sum
}
