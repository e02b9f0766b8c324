# One image for desk, site and worker; the command says which.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements.txt .
RUN python -m venv /opt/hub && /opt/hub/bin/pip install --no-cache-dir --require-hashes -r requirements.txt

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --create-home hub && mkdir /data && chown hub /data
COPY --from=build /opt/hub /opt/hub
WORKDIR /opt/app
COPY hub hub
COPY channels channels
COPY nlp nlp
COPY scheduler scheduler
ENV PATH=/opt/hub/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER hub
VOLUME /data
EXPOSE 8000 8001
ENTRYPOINT ["python", "-m", "hub"]
CMD ["serve"]
