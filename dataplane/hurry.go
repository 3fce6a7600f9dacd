package dataplane

import "errors"

// ErrHurried is what Run returns when it was told to stop twice.
var ErrHurried = errors.New("told to stop again: ended at once, with what the log says left")

// hurried waits for a run to end, unless it is to end at once. What is under way then goes
// on until the process ends, which is next: the spool has what a kill leaves.
func (a *agent) hurried(run func() error) error {
	ended := make(chan error, 1)
	go func() {
		err := run()
		a.close()
		ended <- err
	}()
	select {
	case err := <-ended:
		return err
	case <-a.config.Hurry:
	}
	stats := a.spool.Stats()
	a.logger.Warn("told to stop again: requests in flight are cut off, and what is left stays in the state folder for the next start",
		"requests", a.drain.requests.Load(), "records", stats.Records, "not_sent", stats.Unsent,
		"unrecorded_requests", stats.Tombstone.Requests, "bytes", stats.Bytes)
	return ErrHurried
}
