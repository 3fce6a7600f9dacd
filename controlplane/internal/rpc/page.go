package rpc

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/filter"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

const defaultPageSize = 100

// listed is a request for a part of a list.
type listed interface {
	selected
	GetPage() *adminv1.Page
}

// selected is a request for a list.
type selected interface {
	GetFilter() string
	GetOrderBy() string
}

// listing is which list a request asks for, and which part of it.
type listing struct {
	readmodel.Query
	// id tells the list from others.
	id string
}

// pageToken is where a list goes on. It is no secret: it names a row that the
// caller has seen, and the lists are filtered whatever it says.
type pageToken[P any] struct {
	// List is which one; a token fits no other list.
	List  string `json:"l"`
	Place P      `json:"p"`
}

// fromList reads a request; name says what is listed, with what else restricts it.
func fromList(name string, fields filter.Schema, request listed) (listing, error) {
	l, err := fromSelection(name, fields, request)
	l.Size = pageSize(request.GetPage())
	if err == nil {
		err = l.resume("page.token", request.GetPage().GetToken())
	}
	return l, err
}

// resume goes on where a page ended; without a token, at the beginning.
func (l *listing) resume(field, text string) error {
	place, err := fromPageToken[filter.Place](l.id, field, text)
	if place != nil {
		l.After = *place
	}
	return err
}

// fromSelection is fromList for what has no pages.
func fromSelection(name string, fields filter.Schema, request selected) (l listing, err error) {
	l.Size = defaultPageSize
	if l.Filter, err = fields.Parse(request.GetFilter()); err != nil {
		return l, err
	}
	if l.Order, err = fields.ParseOrder(request.GetOrderBy()); err != nil {
		return l, err
	}
	l.id = listID(name, l.Filter.String(), l.Order.String())
	return l, nil
}

// token of the next page; empty where there is none.
func (l listing) token(next *filter.Place) (string, error) { return toPageToken(l.id, next) }

// listID tells a list, with all that restricts it, from others.
func listID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// pageSize of a request.
func pageSize(page *adminv1.Page) int {
	if page.GetSize() == 0 {
		return defaultPageSize
	}
	return int(page.GetSize())
}

// toPageToken is empty where there is no next page.
func toPageToken[P any](list string, next *P) (string, error) {
	if next == nil {
		return "", nil
	}
	text, err := json.Marshal(pageToken[P]{List: list, Place: *next})
	return base64.RawURLEncoding.EncodeToString(text), err
}

// fromPageToken is nil where there is no token: at the beginning.
func fromPageToken[P any](list, field, text string) (*P, error) {
	if text == "" {
		return nil, nil
	}
	var token pageToken[P]
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(decoded, &token)
	}
	if err != nil || token.List != list {
		return nil, fault.Field(field, "it is not of this list: pages go on with the filter and the order they began with")
	}
	return &token.Place, nil
}
