package rpc

import (
	"context"
	"net/http"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/authz"
)

// recheck is how old the look at the authority of a stream's caller gets.
const recheck = 2 * time.Second

// permit is the authority of a caller whose stream outlasts the look of the guard.
type permit struct {
	authenticator Authenticator
	request       proto.Message
	header        http.Header
	checked       time.Time
}

func (s *histories) permitOf(request proto.Message, header http.Header) permit {
	return permit{authenticator: s.authenticator, request: request, header: header, checked: time.Now()}
}

// still asks anew, now and then, who calls and whether they still may.
func (a *permit) still(ctx context.Context) error {
	if time.Since(a.checked) < recheck {
		return nil
	}
	caller, err := a.authenticator.Recheck(ctx, a.header)
	if err != nil {
		return err
	}
	if err := authz.Check(caller, authz.OfRequest(a.request)); err != nil {
		return err
	}
	if err := everywhere(authn.With(ctx, caller), a.request); err != nil {
		return err
	}
	a.checked = time.Now()
	return nil
}
