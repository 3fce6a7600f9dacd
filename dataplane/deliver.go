package dataplane

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weirhq/weir/dataplane/internal/spool"
)

// reportAgain is the pause before a last report that did not arrive is sent again.
const reportAgain = 500 * time.Millisecond

// retireAgain is the pause before a boot whose last records had no room is ended again.
const retireAgain = 100 * time.Millisecond

// deliver ends the boot and waits until the control plane knows its last number and has
// confirmed that all of it is safe: then nothing in the state folder is missed by anybody.
// What is left when the time is over stays in the folder for the next start, and is missing
// in completeness until then. stopped: nobody ships or reports any more.
func (a *agent) deliver(stopped <-chan struct{}) {
	log := a.spool.Log()
	if log == nil {
		return
	}
	within := a.config.DeliveryTimeout
	ctx, cancel := context.WithTimeout(context.Background(), max(within, closeTimeout))
	defer cancel()
	if err := retire(ctx, log.Retire); err != nil {
		a.logger.Error("the usage of this start can't be ended", "error", err)
		return
	}
	err := a.undeliverable()
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		err = a.delivered(ctx, log, stopped)
	}
	stats := log.Stats()
	if err == nil && stats.Records == 0 && stats.Tombstone == (spool.Tombstone{}) {
		a.logger.Info("all usage is delivered and confirmed: nothing in the state folder is needed to account for it", "boot", log.Boot())
		return
	}
	a.logger.Warn("usage is left in the state folder: keep it until an agent that was started with it has delivered",
		"records", stats.Records, "not_sent", stats.Unsent, "unrecorded_requests", stats.Tombstone.Requests, "bytes", stats.Bytes, "boot", log.Boot(), "reason", err)
}

// retire ends the boot. Ends that wait for room on a full disk get it as usage is settled.
func retire(ctx context.Context, end func(context.Context) error) error {
	for {
		err := end(ctx)
		if !errors.Is(err, spool.ErrFull) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(retireAgain):
		}
	}
}

// undeliverable is why there is nothing to wait for.
func (a *agent) undeliverable() error {
	if _, enrolled := a.control.Identity(); !enrolled {
		return errors.New("the agent is not enrolled")
	}
	if err := a.control.Revoked(); err != nil {
		return err
	}
	if a.config.DeliveryTimeout == 0 {
		return errors.New("WEIR_DELIVERY_TIMEOUT is 0")
	}
	return nil
}

// delivered returns nil once the end of the boot is reported and all is settled.
func (a *agent) delivered(ctx context.Context, log *spool.Log, stopped <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var ended, reported, settled error
	var group sync.WaitGroup
	group.Go(func() { reported = a.reportEnd(ctx) })
	group.Go(func() {
		if log.AwaitSettled(ctx) != nil {
			settled = fmt.Errorf("not all of it was confirmed within %s", a.config.DeliveryTimeout)
		}
	})
	over := make(chan struct{})
	go func() {
		group.Wait()
		close(over)
	}()
	select {
	case <-stopped:
		ended = errors.New("shipping ended")
		cancel()
	case <-over:
	}
	<-over
	return errors.Join(ended, reported, settled)
}

func (a *agent) reportEnd(ctx context.Context) error {
	for {
		err := a.control.Report(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the control plane was not told of its end: %w", err)
		case <-time.After(reportAgain):
		}
	}
}
