#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What xgboost and scikit-learn say of the Adult table, for comparison with rowsmith's trees.

usage: adult_reference.py FOLDER      (with adult.data and adult.test)
Prints one JSON object. Models are trained on adult.data; categories are ordinal codes in alphabetical order, '?' is
missing; "exact" leaves out fnlwgt, the one column of more than 255 values, so that both sides see the same bins.
  exact_log_loss     xgboost, 10 rounds, of income on the training rows; starts from the classes' shares
  exact_gain         its share of the total gain, by column, of the same model
  exact_rmse         xgboost, 10 rounds, of hours-per-week from the other columns, on the training rows
  boosted_auc        xgboost, defaults, of income on adult.test, all columns
  out_of_bag         scikit-learn's forest of income: accuracy out of the bag
  forest_r2          scikit-learn's forest of hours-per-week: R² on adult.test
Exits with 77 without the packages.
"""
import json
import os
import sys

try:
    import numpy as np
    import pandas as pd
    import xgboost
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.metrics import log_loss, r2_score, roc_auc_score
except ImportError:
    sys.exit(77)

NAMES = ("age workclass fnlwgt education education-num marital-status occupation relationship race sex "
         "capital-gain capital-loss hours-per-week native-country income").split()


def read(folder, name, comments):
    table = pd.read_csv(os.path.join(folder, name), names=NAMES, skipinitialspace=True, skiprows=comments)
    table["income"] = table["income"].str.rstrip(".")
    return table


def encode(*tables):
    result = [table.copy() for table in tables]
    for name in NAMES:
        if tables[0][name].dtype == object:
            texts = sorted(set().union(*(table[name] for table in tables)) - {"?"})
            codes = {text: code for code, text in enumerate(texts)}
            for table in result:
                table[name] = table[name].map(codes)
    return [table.astype(float) for table in result]


def main(folder):
    train, test = encode(read(folder, "adult.data", 0), read(folder, "adult.test", 1))
    y = train["income"]
    features = lambda table: table.drop(columns="income")
    exact = lambda table: features(table).drop(columns="fnlwgt")
    hours = lambda table: exact(table).drop(columns="hours-per-week")
    ordinal = lambda table: table.fillna(-1)  # this scikit-learn's forests take no missing values
    boosting = dict(max_depth=6, tree_method="hist", n_jobs=2)

    model = xgboost.XGBClassifier(n_estimators=10, base_score=(y.sum() + 1) / (len(y) + 2), **boosting)
    model.fit(exact(train), y)
    gain = model.get_booster().get_score(importance_type="total_gain")
    total = sum(gain.values())
    result = {"exact_log_loss": log_loss(y, model.predict_proba(exact(train))[:, 1].astype(float)),
              "exact_gain": [gain.get(name, 0) / total for name in exact(train).columns]}

    target = train["hours-per-week"]
    model = xgboost.XGBRegressor(n_estimators=10, base_score=target.mean(), **boosting).fit(hours(train), target)
    result["exact_rmse"] = np.sqrt(np.mean((model.predict(hours(train)).astype(float) - target) ** 2))

    model = xgboost.XGBClassifier(n_estimators=100, **boosting).fit(features(train), y)
    result["boosted_auc"] = roc_auc_score(test["income"], model.predict_proba(features(test))[:, 1])

    forest = RandomForestClassifier(100, random_state=0, n_jobs=2, oob_score=True).fit(ordinal(features(train)), y)
    result["out_of_bag"] = forest.oob_score_
    forest = RandomForestRegressor(50, random_state=0, n_jobs=2).fit(ordinal(hours(train)), target)
    result["forest_r2"] = r2_score(test["hours-per-week"], forest.predict(ordinal(hours(test))))
    print(json.dumps({name: value if isinstance(value, list) else float(value) for name, value in result.items()}))


main(sys.argv[1])
