package proxy

import "fmt"

// unrecordedHeader is what X-Weir-Unrecorded says.
var unrecordedHeader = []string{"1"}

// keep has the start of the request kept, or counts it where there is no space and the
// policy says that it is served all the same.
func (e *exchange) keep() (ticket uint64, err error) {
	ticket, err = e.handler.config.Recorder.Start(&e.record)
	if !e.mayForgo(err) {
		return ticket, err
	}
	if ticket, err = e.forgo(0, err); err == nil {
		e.w.Header()["X-Weir-Unrecorded"] = unrecordedHeader
	}
	return ticket, err
}

// mayForgo tells whether what the recorder refused may be counted instead.
func (e *exchange) mayForgo(err error) bool {
	return err != nil && e.handler.isFull(err) && e.policy.ServesUnrecorded()
}

// forgo counts what was refused for want of space; why stands in the error where there is no
// space for that either. Any other error is a fault of its own, and no full spool.
func (e *exchange) forgo(id uint64, why error) (uint64, error) {
	id, err := e.handler.config.Recorder.Forgo(id, &e.record)
	if err != nil && e.handler.isFull(err) {
		return 0, fmt.Errorf("%w; nor can it be counted: %w", why, err)
	}
	return id, err
}

// keepRefusal keeps the one record of a refusal, or counts it.
func (e *exchange) keepRefusal() error {
	err := e.handler.config.Recorder.Refuse(&e.record)
	if !e.mayForgo(err) {
		return err
	}
	id, err := e.forgo(0, err)
	if err != nil {
		return err
	}
	e.w.Header()["X-Weir-Unrecorded"] = unrecordedHeader
	return e.handler.config.Recorder.End(id, &e.record)
}
