package rpc

import (
	"context"
	"errors"
	"reflect"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/litellm"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// imported is one model of the file and what is to become of it.
type imported struct {
	change adminv1.ImportedPrice_Change
	was    priceoverride.PriceOverride // what counts until then; without an id, the built-in price
	id     uuid.UUID
	wanted priceoverride.Settings
}

func (s *priceOverrides) ImportPrices(ctx context.Context, req *connect.Request[adminv1.ImportPricesRequest]) (*connect.Response[adminv1.ImportPricesResponse], error) {
	lists := make(map[string]string, len(req.Msg.GetLists()))
	for _, l := range req.Msg.GetLists() {
		if _, twice := lists[l.GetLitellmProvider()]; twice {
			return nil, fault.Field("lists", "%q is there twice", l.GetLitellmProvider())
		}
		if lists[l.GetLitellmProvider()] = l.GetPriceList(); l.GetPriceList() == "" {
			lists[l.GetLitellmProvider()] = l.GetLitellmProvider()
		}
	}
	models, left, err := litellm.Read([]byte(req.Msg.GetLitellm()), lists)
	if errors.Is(err, litellm.ErrFormat) {
		return nil, fault.Field("litellm", "%s", err)
	} else if err != nil {
		return nil, err
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.ImportPricesResponse], err error) {
		planned, err := s.planImport(ctx, v, models)
		if err != nil {
			return d, err
		}
		for _, p := range planned {
			changes, err := p.changes()
			if err != nil {
				return d, err
			}
			d.Changes = append(d.Changes, changes...)
		}
		d.Answer = func(recorded []eventlog.Event) (*adminv1.ImportPricesResponse, error) {
			return answerImport(planned, left, recorded)
		}
		return d, nil
	})
}

// planImport compares what the file says with what counts now for all providers of the list.
func (s *priceOverrides) planImport(ctx context.Context, v readmodel.View, models []litellm.Model) ([]imported, error) {
	overrides, err := readmodel.PriceOverrides.All(ctx, v)
	if err != nil {
		return nil, err
	}
	counts := map[string]priceoverride.PriceOverride{} // by name
	for _, e := range s.builtin.GetEntries() {
		settings := fromPolicy(e).Complete()
		counts[settings.Name()] = priceoverride.PriceOverride{Settings: settings}
	}
	for _, o := range overrides {
		counts[o.Name()] = o
	}
	planned, total := make([]imported, 0, len(models)), len(overrides)
	for _, m := range models {
		was, counted := counts[m.Settings.Name()]
		p := imported{change: adminv1.ImportedPrice_CHANGE_CREATED, was: was, wanted: m.Settings}
		switch {
		case counted && reflect.DeepEqual(was.Settings, m.Settings):
			p.change = adminv1.ImportedPrice_CHANGE_NONE
		case was.ID != uuid.Nil:
			p.change = adminv1.ImportedPrice_CHANGE_UPDATED
		default:
			if total++; total > priceoverride.Most {
				return nil, priceoverride.Full()
			}
			if p.id, err = newID(); err != nil {
				return nil, err
			}
		}
		planned = append(planned, p)
	}
	return planned, nil
}

func (p imported) changes() ([]eventlog.Change, error) {
	switch p.change {
	case adminv1.ImportedPrice_CHANGE_CREATED:
		return priceoverride.Create(priceoverride.Creation{ID: p.id, Settings: p.wanted})
	case adminv1.ImportedPrice_CHANGE_UPDATED:
		return p.was.Update(p.wanted)
	}
	return nil, nil
}

// subject of the events that it makes.
func (p imported) subject() uuid.UUID {
	if p.change == adminv1.ImportedPrice_CHANGE_CREATED {
		return p.id
	}
	return p.was.ID
}

func answerImport(planned []imported, left []litellm.Left, recorded []eventlog.Event) (*adminv1.ImportPricesResponse, error) {
	by := make(map[uuid.UUID][]eventlog.Event, len(recorded))
	for _, e := range recorded {
		by[e.Subject] = append(by[e.Subject], e)
	}
	answer := &adminv1.ImportPricesResponse{}
	for _, p := range planned {
		state := p.was
		for _, e := range by[p.subject()] {
			var err error
			if state, err = priceoverride.Apply(state, e); err != nil {
				return nil, err
			}
		}
		told := &adminv1.ImportedPrice{Change: p.change, PriceOverride: toProtoCounting(state)}
		if p.change != adminv1.ImportedPrice_CHANGE_NONE && p.was.Model != "" {
			told.Was = toProtoCounting(p.was)
		}
		answer.Prices = append(answer.Prices, told)
	}
	for _, l := range left {
		answer.NotImported = append(answer.NotImported, &adminv1.NotImported{Name: l.Name, Field: l.Field, Reason: l.Reason})
	}
	return answer, nil
}

// toProtoCounting has no id and no etag for what the built-in book says.
func toProtoCounting(p priceoverride.PriceOverride) *adminv1.PriceOverride {
	shown := toProtoPriceOverride(p)
	if p.ID == uuid.Nil {
		shown.Id, shown.Etag = "", ""
	}
	return shown
}
