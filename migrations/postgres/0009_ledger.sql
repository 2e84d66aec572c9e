-- Invoices are found by the number that is printed on them, and checkouts that should be over are looked at.
CREATE INDEX invoice_number ON invoice (site, number) WHERE number IS NOT NULL;
CREATE INDEX checkout_open ON checkout (site, expires_at) WHERE status = 'open';
