package dataplane

import "context"

// lease keeps quotas once the agent has an identity to ask with.
func (a *agent) lease(ctx context.Context) error {
	select {
	case <-a.control.Enrolled():
	case <-ctx.Done():
		return nil
	}
	return a.quotas.Run(ctx, a.spool.Log())
}

// returnLeases gives back what no request will spend any more. What can't be told now is
// told by the next start.
func (a *agent) returnLeases() {
	if _, enrolled := a.control.Identity(); !enrolled {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := a.quotas.Close(ctx); err != nil {
		a.logger.Warn("leases of quotas are not given back: they stay held until this agent starts again", "error", err)
	}
}
