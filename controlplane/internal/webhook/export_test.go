package webhook

import "time"

// Within bounds a message by less than Timeout.
func (s *Sender) Within(d time.Duration) *Sender {
	s.client.Timeout = d
	return s
}
