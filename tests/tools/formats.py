"""What schemathesis makes of the formats that are our own (see schemathesis.toml)."""

from datetime import timezone

import schemathesis
from hypothesis import strategies as st

moments = st.datetimes(timezones=st.sampled_from([timezone.utc])).map(lambda moment: moment.isoformat())
schemathesis.openapi.format("date-time-or-date", moments | st.dates().map(str))
# Mail programs take "=?" for the beginning of another text, so no address has it.
schemathesis.openapi.format("email", st.emails().filter(lambda text: "=?" not in text))
