package command

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// fingerprint tells requests apart; how they are to be run is not part of them, but
// for the state that they are about. It is stored, so secrets go in under the key
// only: nobody who reads it can try secrets against it.
func fingerprint(call Call, key []byte) ([sha256.Size]byte, error) {
	request := proto.Clone(call.Request)
	m := request.ProtoReflect()
	if mutation := m.Descriptor().Fields().ByName("mutation"); mutation != nil {
		m.Clear(mutation)
	}
	if err := hideSecrets(m, key); err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("fingerprint of %s: %w", call.Procedure, err)
	}
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(request)
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("fingerprint of %s: %w", call.Procedure, err)
	}
	return sha256.Sum256(append([]byte(call.Procedure+"\x00"+call.ETag+"\x00"), text...)), nil
}

// replayed returns the stored answer of a call that was made before; false: it was not.
func replayed[M proto.Message](ctx context.Context, v readmodel.View, call Call, print [sha256.Size]byte) (M, bool, error) {
	var none M
	if call.RequestID == "" {
		return none, false, nil
	}
	const query = `SELECT request_sha256, response::text FROM idempotency
		WHERE organization_id = $1 AND actor = $2 AND request_id = $3`
	var was []byte
	var response string
	err := v.Tx.QueryRow(ctx, query, v.Organization, call.Actor, call.RequestID).Scan(&was, &response)
	if errors.Is(err, pgx.ErrNoRows) {
		return none, false, nil
	}
	if err != nil {
		return none, false, fmt.Errorf("look for request %q: %w", call.RequestID, err)
	}
	if [sha256.Size]byte(was) != print {
		f := fault.Field("mutation.request_id", "it was used for another request")
		f.Reason = "request_id_reused"
		return none, false, f
	}
	answer := none.ProtoReflect().New()
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal([]byte(response), answer.Interface()); err != nil {
		return none, false, fmt.Errorf("read stored answer of request %q: %w", call.RequestID, err)
	}
	markShown(answer)
	return answer.Interface().(M), true, nil
}

// remember queues the answer, without its secrets, for the call said again.
func remember(batch *pgx.Batch, call Call, print [sha256.Size]byte, answer proto.Message) error {
	if call.RequestID == "" {
		return nil
	}
	response, err := protojson.Marshal(withoutSecrets(answer))
	if err != nil {
		return fmt.Errorf("store answer of request %q: %w", call.RequestID, err)
	}
	const insert = `INSERT INTO idempotency
		(organization_id, actor, request_id, procedure, request_sha256, response, recorded_at)
		VALUES ($1, $2, $3, $4, $5, $6, now())`
	batch.Queue(insert, call.Organization, call.Actor, call.RequestID, call.Procedure, print[:], string(response))
	return nil
}
