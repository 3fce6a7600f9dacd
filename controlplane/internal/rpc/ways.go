package rpc

import (
	"context"
	"time"

	"github.com/weirhq/weir/controlplane/internal/alertchannel"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	"github.com/weirhq/weir/controlplane/internal/project"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/quota"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/report"
	"github.com/weirhq/weir/controlplane/internal/route"
	"github.com/weirhq/weir/controlplane/internal/savedreport"
)

// Each way back is the aggregate's own decision about what it was: Archive where it
// was not there, Restore where it is not any more, Update where it is another.

func plan(changes []eventlog.Change, err error) (command.Plan, error) {
	return command.Plan{Changes: changes}, err
}

func (s *organizations) back(ctx context.Context, v readmodel.View, now, was *organization.Organization) (command.Plan, error) {
	return plan(s.decideUpdate(ctx, v, *now, settingsOf(*was)))
}

func backProject(ctx context.Context, v readmodel.View, now, was *project.Project) (command.Plan, error) {
	if was == nil {
		uses, err := usesOfProject(ctx, v, *now)
		if err != nil {
			return command.Plan{}, err
		}
		bound, err := boundBy(ctx, v, "project_id", now.ID)
		if err != nil {
			return command.Plan{}, err
		}
		return plan(now.Archive(uses, bound))
	}
	taken, err := readmodel.Projects.TakenByOther(ctx, v, was.ID, named(was.Name))
	switch {
	case err != nil:
		return command.Plan{}, err
	case now == nil:
		return plan(was.Restore(taken))
	}
	return plan(now.Update(was.Settings, taken))
}

// backProvider keeps the sealed credentials that are there, as keys keep their secrets,
// and brings back none: those before may have been replaced for a reason.
func backProvider(ctx context.Context, v readmodel.View, now, was *provider.Provider) (command.Plan, error) {
	if was == nil {
		uses, err := usesOfProvider(ctx, v, *now)
		if err != nil {
			return command.Plan{}, err
		}
		return plan(now.Archive(uses))
	}
	taken, err := readmodel.Providers.TakenByOther(ctx, v, was.ID, named(was.Name))
	switch {
	case err != nil:
		return command.Plan{}, err
	case now == nil:
		gone := *was
		gone.Sealed = nil
		return plan(gone.Restore(taken))
	}
	models, err := modelsOf(ctx, v, *now)
	if err != nil {
		return command.Plan{}, err
	}
	change := provider.Change{Settings: was.Settings, NameTaken: taken, Models: models}
	change.Sealed = nil
	if was.CredentialRef == "" {
		change.Sealed = now.Sealed
	}
	if len(was.Sealed) > 0 && len(now.Sealed) == 0 {
		change.CredentialRef = now.CredentialRef // it would have none otherwise
	}
	if change.Gateways, err = gatewaysOf(ctx, v); err != nil {
		return command.Plan{}, err
	}
	return plan(now.Update(change))
}

func backRoute(ctx context.Context, v readmodel.View, now, was *route.Route) (command.Plan, error) {
	if was == nil {
		uses, err := usesOfRoute(ctx, v, *now)
		if err != nil {
			return command.Plan{}, err
		}
		return plan(now.Archive(uses))
	}
	world, err := routeWorld(ctx, v, was.ID, was.Settings)
	switch {
	case err != nil:
		return command.Plan{}, err
	case now == nil:
		return plan(was.Restore(world))
	}
	return plan(now.Update(was.Settings, world))
}

// backKey never opens what was shut: a key that was made since is revoked, one that
// was revoked since stays so.
func backKey(ctx context.Context, v readmodel.View, now, was *key.Key) (command.Plan, error) {
	switch {
	case was == nil:
		limits, budgets, err := quotasNaming(ctx, v, now.ID, quota.Most)
		if err != nil {
			return command.Plan{}, err
		}
		return plan(now.Archive("it was made after the version that was gone back to", time.Now(), limits, budgets))
	case now == nil || !now.RevokedAt.IsZero():
		return command.Plan{}, neverRevived("key")
	}
	world, err := keyWorld(ctx, v, was.ID, was.ProjectID, was.Settings)
	if err != nil {
		return command.Plan{}, err
	}
	return plan(now.Update(was.Settings, world))
}

func backGateway(ctx context.Context, v readmodel.View, now, was *gateway.Gateway) (command.Plan, error) {
	if was == nil {
		return plan(endGateway(ctx, v, *now))
	}
	if now != nil {
		return plan(reshape(ctx, v, *now, gateway.Update{
			Name: was.Name, CredentialMaxAge: was.CredentialMaxAge, AllowedRegions: was.AllowedRegions, WhenSpoolFull: was.WhenSpoolFull,
		}, was.Rollout))
	}
	taken, err := readmodel.Gateways.TakenByOther(ctx, v, was.ID, named(was.Name))
	if err != nil {
		return command.Plan{}, err
	}
	o, err := readmodel.Organizations.Find(ctx, v, v.Organization)
	if err != nil {
		return command.Plan{}, err
	}
	gone := *was
	gone.PublicKey = nil // as a provider's sealed credentials
	return plan(gone.Restore(taken, !o.Allows(was.Region)))
}

func backPriceOverride(ctx context.Context, v readmodel.View, now, was *priceoverride.PriceOverride) (command.Plan, error) {
	switch {
	case was == nil:
		return plan(now.Archive(), nil)
	case now != nil:
		return plan(now.Update(was.Settings))
	}
	taken, err := readmodel.PriceOverrides.Any(ctx, v, named(was.Name()))
	if err != nil {
		return command.Plan{}, err
	}
	count, err := readmodel.PriceOverrides.Count(ctx, v)
	if err != nil {
		return command.Plan{}, err
	}
	return plan(was.Restore(taken, count))
}

func backSavedReport(ctx context.Context, v readmodel.View, now, was *savedreport.SavedReport) (command.Plan, error) {
	if was == nil {
		return plan(now.Archive(), nil)
	}
	if err := report.Check(was.SQL); err != nil {
		return command.Plan{}, err
	}
	taken, err := readmodel.SavedReports.TakenByOther(ctx, v, was.ID, named(was.Name))
	switch {
	case err != nil:
		return command.Plan{}, err
	case now == nil:
		return plan(was.Restore(taken))
	}
	return plan(now.Update(was.Settings, taken))
}

// back destroys the secret of a channel that ends; one that comes back has none.
func (s *alertChannels) back(ctx context.Context, v readmodel.View, now, was *alertchannel.AlertChannel) (command.Plan, error) {
	if was == nil {
		return s.end(ctx, v, *now)
	}
	taken, err := readmodel.AlertChannels.TakenByOther(ctx, v, was.ID, named(was.Name))
	world := alertchannel.World{NameTaken: taken, Networks: s.networks}
	switch {
	case err != nil:
		return command.Plan{}, err
	case now == nil:
		return plan(was.Restore(world))
	}
	return plan(now.Update(was.Settings, world))
}
